variable "zone" {
  type = string
}

variable "network" {
  type        = string
  description = "The network whose names these are."
}

resource "terraform_data" "record" {
  input = "prod.${var.zone} in ${var.network}"
}

output "record" {
  value = terraform_data.record.output
}
