module "network" {
  source = "../../../modules/network"
}

output "network" {
  value = module.network.id
}
