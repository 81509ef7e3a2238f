// A provider for tests: what it makes are files in a directory, so that plans and applies of a real
// OpenTofu or Terraform can be seen to make, change and remove something, and can be made to fail.
//
// The directory (SIMULATED_DIRECTORY, or the provider's argument) holds a file for each object,
// `<kind>/<name>.json`; `kubeconfigs/<name>`, which becomes the kubeconfig of the cluster of that name;
// `faults.json`, see faults.go; and `log`, a line for each operation that was begun.
package main

import (
	"context"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"os"
)

func main() {
	address := "simulated.example/grove/simulated"
	err := providerserver.Serve(context.Background(), func() provider.Provider { return &simulated{} },
		providerserver.ServeOpts{Address: address})
	if err != nil {
		log.Fatal(err)
	}
}

type simulated struct{}

type configuration struct {
	Directory types.String `tfsdk:"directory"`
	Token     types.String `tfsdk:"token"`
}

func (*simulated) Metadata(_ context.Context, _ provider.MetadataRequest, response *provider.MetadataResponse) {
	response.TypeName = "simulated"
}

func (*simulated) Schema(_ context.Context, _ provider.SchemaRequest, response *provider.SchemaResponse) {
	response.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"directory": schema.StringAttribute{Optional: true, Description: "Where objects are kept."},
		"token":     schema.StringAttribute{Optional: true, Sensitive: true, Description: "A credential, which a fault may betray."},
	}}
}

func (*simulated) Configure(ctx context.Context, request provider.ConfigureRequest, response *provider.ConfigureResponse) {
	var said configuration
	response.Diagnostics.Append(request.Config.Get(ctx, &said)...)
	place := store{directory: said.Directory.ValueString(), token: said.Token.ValueString()}
	if place.directory == "" {
		place.directory = os.Getenv("SIMULATED_DIRECTORY")
	}
	if place.token == "" {
		place.token = os.Getenv("SIMULATED_TOKEN")
	}
	if place.directory == "" {
		response.Diagnostics.AddError("no directory", "SIMULATED_DIRECTORY is not set")
	}
	response.ResourceData = place
}

func (*simulated) DataSources(context.Context) []func() datasource.DataSource { return nil }

func (*simulated) Resources(context.Context) []func() resource.Resource {
	var resources []func() resource.Resource
	for _, kind := range kinds {
		resources = append(resources, func() resource.Resource { return &object{kind: kind} })
	}
	return resources
}
