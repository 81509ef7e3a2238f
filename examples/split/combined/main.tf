# One root module, and so one state, for a cluster and every instance on it.
variable "instances" {
  default = ["academy", "uni"]
}

module "network" {
  source = "../modules/network"
}

module "instances" {
  source   = "../modules/instance"
  for_each = toset(var.instances)
  name     = each.key
  network  = module.network.id
}

# What belongs to an instance and stands beside its module.
resource "terraform_data" "user" {
  for_each = toset(var.instances)
  input    = { name = each.key, network = module.network.id }
}

output "network" {
  value = module.network.id
}
