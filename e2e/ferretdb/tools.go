//go:build tools

// Package tools pins the programs that this module builds: go.mod and go.sum name every module of
// them by version and hash. The build tag keeps the file out of every build.
package tools

import (
	_ "github.com/FerretDB/FerretDB/cmd/ferretdb"
)
