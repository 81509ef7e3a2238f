# Managed databases that the instances of a cluster share: MySQL with Harmony's module, and Redis, which
# Harmony has not. MongoDB at Atlas needs a project of its own: put Harmony's module `aws/mongodb` into a
# stack of yours.
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
  description = "Where Redis is: private_subnets of the stack network."
}

variable "cidr" {
  type        = string
  description = "Who may connect to Redis: cidr of the stack network."
}

variable "environment" {
  type        = string
  description = "What Harmony's modules put in front of names and into tags."
  default     = "production"
}

variable "mysql_size" {
  type    = string
  default = "db.t3.medium"
}

variable "mysql_version" {
  type    = string
  default = "8.0"
}

variable "redis_size" {
  type    = string
  default = "cache.t3.small"
}

module "mysql" {
  source = "git::https://github.com/openedx/openedx-k8s-harmony.git//terraform/modules/aws/rds?ref=6c00ebfe886c1c32160b5cc6db9d5b47dd3d3c94"

  environment                    = var.environment
  database_cluster_name          = var.grove_cluster
  database_engine_version        = var.mysql_version
  database_cluster_instance_size = var.mysql_size
  vpc_id                         = var.vpc_id
}

resource "aws_security_group" "redis" {
  name   = "${var.grove_cluster}-redis"
  vpc_id = var.vpc_id

  ingress {
    from_port   = 6379
    to_port     = 6379
    protocol    = "tcp"
    cidr_blocks = [var.cidr]
  }
}

resource "aws_elasticache_subnet_group" "redis" {
  name       = var.grove_cluster
  subnet_ids = var.private_subnets
}

resource "aws_elasticache_cluster" "redis" {
  cluster_id         = var.grove_cluster
  engine             = "redis"
  node_type          = var.redis_size
  num_cache_nodes    = 1
  subnet_group_name  = aws_elasticache_subnet_group.redis.name
  security_group_ids = [aws_security_group.redis.id]
}

output "mysql_host" {
  value = module.mysql.cluster_host
}

output "mysql_port" {
  value = module.mysql.cluster_port
}

output "mysql_root_user" {
  value     = module.mysql.database_cluster_root_user
  sensitive = true
}

output "mysql_root_password" {
  value     = module.mysql.database_cluster_root_password
  sensitive = true
}

output "redis_host" {
  value = aws_elasticache_cluster.redis.cache_nodes[0].address
}

output "redis_port" {
  value = aws_elasticache_cluster.redis.cache_nodes[0].port
}
