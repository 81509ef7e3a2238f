# An input takes the place of what another stack has.
variable "network" {
  default = "10.0.0.0/16"
}

module "instance" {
  source  = "../../../modules/instance"
  name    = "uni"
  network = var.network
}

resource "terraform_data" "user" {
  input = { name = "uni", network = var.network }
}
