module grove/e2e/velero

go 1.25.0

require github.com/vmware-tanzu/velero v1.13.0
