//go:build tools

// Package tools pins the module whose CRDs tests install: go.mod and go.sum name every module of it by
// version and hash. The build tag keeps the file out of every build.
package tools

import _ "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
