module grove/e2e/argo-cd-before

go 1.25.0

require github.com/argoproj/argo-cd/v3 v3.5.7
