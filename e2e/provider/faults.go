package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A fault that was asked for in `faults.json`: a map from `<operation> <kind>/<name>` to this.
type fault struct {
	// `fail`, `hang` (until it is interrupted), `slow` (see seconds) or `betray`: an error that holds the
	// provider's token.
	How     string  `json:"how"`
	Seconds float64 `json:"seconds"`
}

// Notes that an operation begins, and lets a fault happen that was asked for.
func (s store) begin(ctx context.Context, operation, kind, name string) error {
	what := fmt.Sprintf("%s %s/%s", operation, kind, name)
	if err := s.note(what); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(s.directory, "faults.json"))
	if err != nil {
		return nil
	}
	faults := map[string]fault{}
	if err := json.Unmarshal(text, &faults); err != nil {
		return err
	}
	asked := faults[what]
	switch asked.How {
	case "fail":
		return errors.New("503: the service is not available")
	case "betray":
		return fmt.Errorf("401: the token %s is not accepted", s.token)
	case "hang":
		<-ctx.Done()
		return ctx.Err()
	case "slow":
		select {
		case <-time.After(time.Duration(asked.Seconds * float64(time.Second))):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (s store) note(what string) error {
	file, err := os.OpenFile(filepath.Join(s.directory, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteString(what + "\n")
	return err
}
