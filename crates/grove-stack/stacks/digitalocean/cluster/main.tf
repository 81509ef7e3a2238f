# The Kubernetes cluster, with Harmony's module, and its kubeconfig.
terraform {
  required_providers {
    digitalocean = {
      source  = "digitalocean/digitalocean"
      version = "~> 2.60"
    }
  }
}

variable "grove_cluster" {
  type = string
}

variable "region" {
  type        = string
  description = "The region of the network."
}

variable "vpc_id" {
  type        = string
  description = "The network: vpc_id of the stack network."
}

variable "environment" {
  type        = string
  description = "What Harmony's modules put in front of names and into tags."
  default     = "production"
}

variable "kubernetes_version" {
  type        = string
  description = "A version that the provider has, such as 1.34."
}

variable "node_size" {
  type        = string
  description = "The size of a worker node."
  default     = "s-4vcpu-8gb"
}

variable "min_nodes" {
  type    = number
  default = 3
}

variable "max_nodes" {
  type    = number
  default = 5
}

module "cluster" {
  source = "git::https://github.com/openedx/openedx-k8s-harmony.git//terraform/modules/digitalocean/doks?ref=6c00ebfe886c1c32160b5cc6db9d5b47dd3d3c94"

  environment           = var.environment
  region                = var.region
  vpc_id                = var.vpc_id
  cluster_name          = var.grove_cluster
  kubernetes_version    = var.kubernetes_version
  worker_node_size      = var.node_size
  min_worker_node_count = var.min_nodes
  max_worker_node_count = var.max_nodes
}

# Harmony's module gives no kubeconfig.
data "digitalocean_kubernetes_cluster" "cluster" {
  name = module.cluster.cluster_name

  depends_on = [module.cluster]
}

output "cluster_name" {
  value = module.cluster.cluster_name
}

output "server" {
  value = module.cluster.cluster_endpoint
}

output "kubeconfig" {
  value     = data.digitalocean_kubernetes_cluster.cluster.kube_config[0].raw_config
  sensitive = true
}
