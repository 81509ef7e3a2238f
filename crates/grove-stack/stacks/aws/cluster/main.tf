# The Kubernetes cluster, with Harmony's module, and a kubeconfig that asks the `aws` program for a token.
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

variable "vpc_id" {
  type        = string
  description = "The network: vpc_id of the stack network."
}

variable "private_subnets" {
  type        = list(string)
  description = "The subnets of the nodes: private_subnets of the stack network."
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

variable "node_types" {
  type        = list(string)
  description = "The types of worker nodes."
  default     = ["t3.xlarge"]
}

variable "ssh_key_name" {
  type        = string
  description = "The name of a key pair of EC2, for worker nodes."
}

variable "registry_credentials" {
  type        = string
  description = "The credentials of the image registry that nodes pull with, as Harmony's module takes them."
  sensitive   = true
}

variable "min_nodes" {
  type    = number
  default = 2
}

variable "max_nodes" {
  type    = number
  default = 5
}

module "cluster" {
  source = "git::https://github.com/openedx/openedx-k8s-harmony.git//terraform/modules/aws/eks?ref=6c00ebfe886c1c32160b5cc6db9d5b47dd3d3c94"

  environment                = var.environment
  cluster_name               = var.grove_cluster
  kubernetes_version         = var.kubernetes_version
  vpc_id                     = var.vpc_id
  private_subnets            = var.private_subnets
  worker_node_instance_types = var.node_types
  worker_node_ssh_key_name   = var.ssh_key_name
  worker_node_count          = var.min_nodes
  min_worker_node_count      = var.min_nodes
  max_worker_node_count      = var.max_nodes
  registry_credentials       = var.registry_credentials
}

# Harmony's module gives neither the certificate authority nor a kubeconfig.
data "aws_eks_cluster" "cluster" {
  name = module.cluster.cluster_name
}

locals {
  kubeconfig = {
    apiVersion      = "v1"
    kind            = "Config"
    current-context = var.grove_cluster
    clusters = [{
      name = var.grove_cluster
      cluster = {
        server                     = module.cluster.cluster_endpoint
        certificate-authority-data = data.aws_eks_cluster.cluster.certificate_authority[0].data
      }
    }]
    contexts = [{
      name    = var.grove_cluster
      context = { cluster = var.grove_cluster, user = var.grove_cluster }
    }]
    users = [{
      name = var.grove_cluster
      user = {
        exec = {
          apiVersion      = "client.authentication.k8s.io/v1beta1"
          command         = "aws"
          interactiveMode = "Never"
          args = [
            "eks", "get-token",
            "--region", var.region,
            "--cluster-name", module.cluster.cluster_name,
          ]
        }
      }
    }]
  }
}

output "cluster_name" {
  value = module.cluster.cluster_name
}

output "server" {
  value = module.cluster.cluster_endpoint
}

output "kubeconfig" {
  value     = yamlencode(local.kubeconfig)
  sensitive = true
}
