terraform {
  required_providers {
    simulated = {
      source  = "simulated.example/grove/simulated"
      version = "0.1.0"
    }
  }
}

variable "grove_namespace" {
  type = string
}

variable "mysql_id" {
  type = string
}

resource "simulated_user" "mysql" {
  name        = var.grove_namespace
  database_id = var.mysql_id
}

resource "simulated_bucket" "media" {
  name = var.grove_namespace
}

output "mysql_user" {
  value = simulated_user.mysql.name
}

output "mysql_password" {
  value     = simulated_user.mysql.password
  sensitive = true
}

output "bucket" {
  value = simulated_bucket.media.name
}

output "bucket_access_key" {
  value = simulated_bucket.media.access_key
}

output "bucket_secret_key" {
  value     = simulated_bucket.media.secret_key
  sensitive = true
}
