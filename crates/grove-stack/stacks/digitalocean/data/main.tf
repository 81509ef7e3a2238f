# Managed databases that the instances of a cluster share: MySQL and MongoDB with Harmony's module, Redis
# (as Valkey) with a resource, since Harmony has none.
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

variable "cluster_name" {
  type        = string
  description = "The cluster whose nodes may connect: cluster_name of the stack cluster."
}

variable "environment" {
  type        = string
  description = "What Harmony's modules put in front of names and into tags."
  default     = "production"
}

variable "access_token" {
  type        = string
  description = "The provider's token, which Harmony's module needs for a call that the provider lacks."
  sensitive   = true
}

variable "mysql_size" {
  type    = string
  default = "db-s-2vcpu-4gb"
}

variable "mysql_version" {
  type    = string
  default = "8"
}

variable "mongodb_size" {
  type    = string
  default = "db-s-2vcpu-4gb"
}

variable "mongodb_version" {
  type    = string
  default = "7"
}

variable "redis_size" {
  type    = string
  default = "db-s-1vcpu-2gb"
}

variable "maintenance_time" {
  type        = string
  description = "When the provider may restart databases on Sundays, in UTC."
  default     = "03:00:00"
}

module "mysql" {
  source = "git::https://github.com/openedx/openedx-k8s-harmony.git//terraform/modules/digitalocean/database?ref=6c00ebfe886c1c32160b5cc6db9d5b47dd3d3c94"

  environment                      = var.environment
  region                           = var.region
  vpc_id                           = var.vpc_id
  access_token                     = var.access_token
  kubernetes_cluster_name          = var.cluster_name
  database_engine                  = "mysql"
  database_engine_version          = var.mysql_version
  database_cluster_instance_size   = var.mysql_size
  database_maintenance_window_time = var.maintenance_time
  firewall_rules                   = []
}

module "mongodb" {
  source = "git::https://github.com/openedx/openedx-k8s-harmony.git//terraform/modules/digitalocean/database?ref=6c00ebfe886c1c32160b5cc6db9d5b47dd3d3c94"

  environment                      = var.environment
  region                           = var.region
  vpc_id                           = var.vpc_id
  access_token                     = var.access_token
  kubernetes_cluster_name          = var.cluster_name
  database_engine                  = "mongodb"
  database_engine_version          = var.mongodb_version
  database_cluster_instance_size   = var.mongodb_size
  database_maintenance_window_time = var.maintenance_time
  firewall_rules                   = []
}

resource "digitalocean_database_cluster" "redis" {
  name                 = "${var.grove_cluster}-redis"
  engine               = "valkey"
  version              = "8"
  size                 = var.redis_size
  region               = var.region
  node_count           = 1
  private_network_uuid = var.vpc_id
}

output "mysql_id" {
  value = module.mysql.cluster_id
}

output "mysql_host" {
  value = module.mysql.cluster_host
}

output "mysql_port" {
  value = module.mysql.cluster_port
}

output "mysql_root_user" {
  value     = module.mysql.cluster_root_user
  sensitive = true
}

output "mysql_root_password" {
  value     = module.mysql.cluster_root_password
  sensitive = true
}

output "mongodb_id" {
  value = module.mongodb.cluster_id
}

output "mongodb_host" {
  value = module.mongodb.cluster_host
}

output "mongodb_port" {
  value = module.mongodb.cluster_port
}

output "redis_host" {
  value = digitalocean_database_cluster.redis.private_host
}

output "redis_port" {
  value = digitalocean_database_cluster.redis.port
}

output "redis_password" {
  value     = digitalocean_database_cluster.redis.password
  sensitive = true
}
