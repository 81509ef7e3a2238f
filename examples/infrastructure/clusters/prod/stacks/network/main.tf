# A network that only exists in its state: OpenTofu itself brings this resource.
variable "cidr" {
  type        = string
  description = "The addresses of the network."
}

resource "terraform_data" "network" {
  input = var.cidr
}

output "id" {
  value = terraform_data.network.id
}
