# What one instance has at the provider: a bucket and its key, names in DNS. Its database is made inside
# the network, which this machine does not reach.
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

variable "grove_namespace" {
  type = string
}

variable "grove_environment" {
  type = string
}

variable "grove_hosts" {
  type = list(string)
}

variable "zone_id" {
  type        = string
  description = "The id of the hosted zone of Route 53 that the hosts are in. Without one there are no records."
  default     = null
}

variable "address" {
  type        = string
  description = "The host name that the hosts lead to: that of the cluster's load balancer."
  default     = null
}

module "bucket" {
  source = "git::https://github.com/openedx/openedx-k8s-harmony.git//terraform/modules/aws/s3?ref=6c00ebfe886c1c32160b5cc6db9d5b47dd3d3c94"

  environment              = var.grove_environment
  bucket_prefix            = var.grove_namespace
  is_force_destroy_enabled = false
}

resource "aws_iam_user" "bucket" {
  name = "${var.grove_namespace}-bucket"
}

resource "aws_iam_user_policy" "bucket" {
  name = "bucket"
  user = aws_iam_user.bucket.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = module.bucket.bucket_arn
      },
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:PutObjectAcl"]
        Resource = "${module.bucket.bucket_arn}/*"
      },
    ]
  })
}

resource "aws_iam_access_key" "bucket" {
  user = aws_iam_user.bucket.name
}

resource "aws_route53_record" "host" {
  for_each = var.zone_id == null || var.address == null ? toset([]) : toset(var.grove_hosts)

  zone_id = var.zone_id
  name    = each.value
  type    = "CNAME"
  ttl     = 300
  records = [var.address]
}

output "bucket" {
  value = module.bucket.bucket_name
}

output "bucket_access_key" {
  value = aws_iam_access_key.bucket.id
}

output "bucket_secret_key" {
  value     = aws_iam_access_key.bucket.secret
  sensitive = true
}
