# What one instance has at the provider: a database and its user, a bucket and its key, names in DNS.
terraform {
  required_providers {
    digitalocean = {
      source  = "digitalocean/digitalocean"
      version = "~> 2.60"
    }
  }
}

variable "grove_namespace" {
  type = string
}

variable "grove_environment" {
  type = string
}

variable "grove_hosts" {
  type = list(string)
}

variable "region" {
  type        = string
  description = "The region of the bucket."
}

variable "mysql_id" {
  type        = string
  description = "The shared MySQL: mysql_id of the stack data. Without one there is no database."
  default     = null
}

variable "zone" {
  type        = string
  description = "The DNS zone at the provider that the hosts are in. Without one there are no records."
  default     = null
}

variable "address" {
  type        = string
  description = "The IP address that the hosts lead to: that of the cluster's load balancer."
  default     = null
}

resource "digitalocean_database_db" "mysql" {
  count = var.mysql_id == null ? 0 : 1

  cluster_id = var.mysql_id
  name       = replace(var.grove_namespace, "-", "_")
}

resource "digitalocean_database_user" "mysql" {
  count = var.mysql_id == null ? 0 : 1

  cluster_id = var.mysql_id
  name       = replace(var.grove_namespace, "-", "_")
}

module "bucket" {
  source = "git::https://github.com/openedx/openedx-k8s-harmony.git//terraform/modules/digitalocean/spaces?ref=6c00ebfe886c1c32160b5cc6db9d5b47dd3d3c94"

  environment              = var.grove_environment
  region                   = var.region
  bucket_prefix            = var.grove_namespace
  is_force_destroy_enabled = false
}

resource "digitalocean_spaces_key" "bucket" {
  name = var.grove_namespace

  grant {
    bucket     = module.bucket.bucket_name
    permission = "readwrite"
  }
}

resource "digitalocean_record" "host" {
  for_each = var.zone == null || var.address == null ? toset([]) : toset(var.grove_hosts)

  domain = var.zone
  type   = "A"
  name   = trimsuffix(each.value, ".${var.zone}")
  value  = var.address
  ttl    = 300
}

output "mysql_database" {
  value = one(digitalocean_database_db.mysql[*].name)
}

output "mysql_user" {
  value = one(digitalocean_database_user.mysql[*].name)
}

output "mysql_password" {
  value     = one(digitalocean_database_user.mysql[*].password)
  sensitive = true
}

output "bucket" {
  value = module.bucket.bucket_name
}

output "bucket_access_key" {
  value = digitalocean_spaces_key.bucket.access_key
}

output "bucket_secret_key" {
  value     = digitalocean_spaces_key.bucket.secret_key
  sensitive = true
}
