//go:build tools

// Package tools pins the program that this module builds: go.mod and go.sum name every module of
// it by version and hash. The build tag keeps the file out of every build.
package tools

import _ "github.com/opentofu/opentofu/cmd/tofu"
