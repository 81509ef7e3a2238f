# The private network of a cluster, with Harmony's module.
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
  description = "The region of everything in this network, such as fra1."
}

variable "environment" {
  type        = string
  description = "What Harmony's modules put in front of names and into tags."
  default     = "production"
}

variable "cidr" {
  type        = string
  description = "The addresses of the network."
  default     = "10.10.0.0/20"
}

module "network" {
  source = "git::https://github.com/openedx/openedx-k8s-harmony.git//terraform/modules/digitalocean/vpc?ref=6c00ebfe886c1c32160b5cc6db9d5b47dd3d3c94"

  environment  = var.environment
  region       = var.region
  vpc_name     = var.grove_cluster
  vpc_ip_range = var.cidr
}

output "vpc_id" {
  value = module.network.vpc_id
}

output "cidr" {
  value = module.network.vpc_ip_range
}

output "region" {
  value = var.region
}
