# A cluster on this machine with kind, which needs a container engine.
terraform {
  required_providers {
    kind = {
      source  = "tehcyx/kind"
      version = "~> 0.9"
    }
  }
}

variable "grove_cluster" {
  type = string
}

variable "node_image" {
  type        = string
  description = "The image of the node, such as kindest/node:v1.34.0; kind's own choice where nothing is said."
  default     = null
}

resource "kind_cluster" "cluster" {
  name           = var.grove_cluster
  node_image     = var.node_image
  wait_for_ready = true
}

output "server" {
  value = kind_cluster.cluster.endpoint
}

output "kubeconfig" {
  value     = kind_cluster.cluster.kubeconfig
  sensitive = true
}
