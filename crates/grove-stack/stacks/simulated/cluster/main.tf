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

variable "network_id" {
  type = string
}

variable "kubernetes_version" {
  type    = string
  default = "1.37"
}

resource "simulated_cluster" "cluster" {
  name       = var.grove_cluster
  network_id = var.network_id
  version    = var.kubernetes_version
}

output "server" {
  value = simulated_cluster.cluster.endpoint
}

output "kubeconfig" {
  value     = simulated_cluster.cluster.kubeconfig
  sensitive = true
}
