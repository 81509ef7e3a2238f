# The private network of a cluster, with Harmony's module.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.95"
    }
  }
}

provider "aws" {
  region = var.region
}

variable "region" {
  type        = string
  description = "The region of everything in this stack, such as eu-central-1."
}

variable "grove_cluster" {
  type = string
}

variable "environment" {
  type        = string
  description = "What Harmony's modules put in front of names and into tags."
  default     = "production"
}

variable "cidr" {
  type        = string
  description = "The addresses of the network."
  default     = "10.10.0.0/16"
}

variable "availability_zones" {
  type        = list(string)
  description = "Two zones of the region at least."
}

variable "private_subnets" {
  type    = list(string)
  default = ["10.10.0.0/21", "10.10.8.0/21"]
}

variable "public_subnets" {
  type    = list(string)
  default = ["10.10.128.0/21", "10.10.136.0/21"]
}

module "network" {
  source = "git::https://github.com/openedx/openedx-k8s-harmony.git//terraform/modules/aws/vpc?ref=6c00ebfe886c1c32160b5cc6db9d5b47dd3d3c94"

  environment            = var.environment
  vpc_name               = var.grove_cluster
  cidr                   = var.cidr
  availability_zones     = var.availability_zones
  private_subnets        = var.private_subnets
  public_subnets         = var.public_subnets
  single_nat_gateway     = true
  one_nat_gateway_per_az = false
}

output "vpc_id" {
  value = module.network.vpc_id
}

output "cidr" {
  value = module.network.vpc_cidr_block
}

output "private_subnets" {
  value = module.network.private_subnets
}

output "region" {
  value = var.region
}
