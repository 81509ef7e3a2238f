package main

// What there is, and what each kind has. Every attribute is text.
type kind struct {
	name string
	// Given by the configuration; another value makes the object anew.
	fixed []string
	// Given by the configuration; another value changes the object.
	open []string
	// Made by the provider.
	made []string
	// Those of `made` that are secret.
	secret []string
}

var kinds = []kind{
	{name: "network", fixed: []string{"name"}, open: []string{"cidr"}},
	{
		name:   "cluster",
		fixed:  []string{"name", "network_id"},
		open:   []string{"version"},
		made:   []string{"endpoint", "kubeconfig"},
		secret: []string{"kubeconfig"},
	},
	{
		name:   "database",
		fixed:  []string{"name", "network_id", "engine"},
		open:   []string{"version"},
		made:   []string{"host", "port", "password"},
		secret: []string{"password"},
	},
	{
		name:   "user",
		fixed:  []string{"name", "database_id"},
		made:   []string{"password"},
		secret: []string{"password"},
	},
	{
		name:   "bucket",
		fixed:  []string{"name"},
		open:   []string{"region"},
		made:   []string{"access_key", "secret_key"},
		secret: []string{"secret_key"},
	},
}

func has(list []string, name string) bool {
	for _, one := range list {
		if one == name {
			return true
		}
	}
	return false
}
