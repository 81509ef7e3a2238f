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

resource "simulated_database" "mysql" {
  name       = var.grove_cluster
  network_id = var.network_id
  engine     = "mysql"
  version    = "8.4"
}

output "mysql_id" {
  value = simulated_database.mysql.id
}

output "mysql_host" {
  value = simulated_database.mysql.host
}

output "mysql_port" {
  value = tonumber(simulated_database.mysql.port)
}

output "mysql_password" {
  value     = simulated_database.mysql.password
  sensitive = true
}
