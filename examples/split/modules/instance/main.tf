variable "name" {
  type = string
}

variable "network" {
  type = string
}

resource "terraform_data" "database" {
  input = "${var.name} in ${var.network}"
}

resource "terraform_data" "grant" {
  input = terraform_data.database.output
}
