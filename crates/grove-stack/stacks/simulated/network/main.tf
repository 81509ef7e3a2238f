terraform {
  required_providers {
    simulated = {
      source  = "simulated.example/grove/simulated"
      version = "0.1.0"
    }
  }
}

variable "grove_cluster" {
  type = string
}

variable "cidr" {
  type    = string
  default = "10.10.0.0/16"
}

resource "simulated_network" "network" {
  name = var.grove_cluster
  cidr = var.cidr
}

output "network_id" {
  value = simulated_network.network.id
}
