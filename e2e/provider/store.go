package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// Where objects are.
type store struct {
	directory string
	token     string
}

func (s store) path(kind, name string) string {
	return filepath.Join(s.directory, kind, name+".json")
}

func (s store) read(kind, name string) (map[string]string, error) {
	text, err := os.ReadFile(s.path(kind, name))
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	return values, json.Unmarshal(text, &values)
}

func (s store) write(kind string, values map[string]string) error {
	text, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		return err
	}
	path := s.path(kind, values["name"])
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}

func (s store) remove(kind, name string) error {
	err := os.Remove(s.path(kind, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Adds what the provider makes.
func (s store) make(kind kind, values map[string]string) {
	values["id"] = kind.name + "-" + values["name"]
	for _, name := range kind.made {
		switch {
		case name == "port":
			values[name] = "3306"
		case name == "kubeconfig", name == "endpoint":
			text, _ := os.ReadFile(filepath.Join(s.directory, "kubeconfigs", values["name"]))
			values["kubeconfig"] = string(text)
			values["endpoint"] = ""
			if found := server.FindStringSubmatch(string(text)); found != nil {
				values["endpoint"] = found[1]
			}
		case has(kind.secret, name):
			random := make([]byte, 16)
			_, _ = rand.Read(random)
			values[name] = hex.EncodeToString(random)
		default:
			values[name] = values["name"] + ".simulated.example"
		}
	}
}

// The address of the API server in a kubeconfig.
var server = regexp.MustCompile(`(?m)"?server"?:\s*"?([^\s",]+)`)
