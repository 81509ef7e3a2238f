//go:build tools

// Package tools pins the programs that this module builds: go.mod and go.sum name every module of
// them by version and hash. The build tag keeps the file out of every build.
package tools

import (
	_ "github.com/argoproj/argo-cd/v3/cmd"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
)
