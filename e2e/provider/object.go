package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// One resource type.
type object struct {
	kind  kind
	store store
}

func (o *object) Metadata(_ context.Context, request resource.MetadataRequest, response *resource.MetadataResponse) {
	response.TypeName = request.ProviderTypeName + "_" + o.kind.name
}

func (o *object) Schema(_ context.Context, _ resource.SchemaRequest, response *resource.SchemaResponse) {
	stays := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	attributes := map[string]schema.Attribute{
		"id": schema.StringAttribute{Computed: true, PlanModifiers: stays},
	}
	for _, name := range o.kind.fixed {
		anew := []planmodifier.String{stringplanmodifier.RequiresReplace()}
		attributes[name] = schema.StringAttribute{Required: true, PlanModifiers: anew}
	}
	for _, name := range o.kind.open {
		attributes[name] = schema.StringAttribute{Optional: true}
	}
	for _, name := range o.kind.made {
		attributes[name] = schema.StringAttribute{
			Computed: true, Sensitive: has(o.kind.secret, name), PlanModifiers: stays,
		}
	}
	response.Schema = schema.Schema{Attributes: attributes}
}

func (o *object) Configure(_ context.Context, request resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if place, is := request.ProviderData.(store); is {
		o.store = place
	}
}

// A plan, a configuration or a state.
type source interface {
	GetAttribute(context.Context, path.Path, any) diag.Diagnostics
}

func (o *object) given(ctx context.Context, from source, diagnostics *diag.Diagnostics) map[string]string {
	values := map[string]string{}
	for _, name := range append(append([]string{}, o.kind.fixed...), o.kind.open...) {
		var value types.String
		diagnostics.Append(from.GetAttribute(ctx, path.Root(name), &value)...)
		if !value.IsNull() {
			values[name] = value.ValueString()
		}
	}
	return values
}

// Something that attributes are written to: the state of an answer.
type sink interface {
	SetAttribute(context.Context, path.Path, any) diag.Diagnostics
}

func (o *object) show(ctx context.Context, values map[string]string, to sink, diagnostics *diag.Diagnostics) {
	all := append(append(append([]string{"id"}, o.kind.fixed...), o.kind.open...), o.kind.made...)
	for _, name := range all {
		shown := types.StringNull()
		if value, is := values[name]; is {
			shown = types.StringValue(value)
		}
		diagnostics.Append(to.SetAttribute(ctx, path.Root(name), shown)...)
	}
}

func (o *object) Create(ctx context.Context, request resource.CreateRequest, response *resource.CreateResponse) {
	values := o.given(ctx, &request.Plan, &response.Diagnostics)
	if err := o.store.begin(ctx, "create", o.kind.name, values["name"]); err != nil {
		response.Diagnostics.AddError("cannot create "+o.kind.name+" "+values["name"], err.Error())
		return
	}
	if _, err := o.store.read(o.kind.name, values["name"]); err == nil {
		response.Diagnostics.AddError("cannot create "+o.kind.name+" "+values["name"], "one of this name exists")
		return
	}
	o.store.make(o.kind, values)
	if err := o.store.write(o.kind.name, values); err != nil {
		response.Diagnostics.AddError("cannot create "+o.kind.name+" "+values["name"], err.Error())
		return
	}
	o.show(ctx, values, &response.State, &response.Diagnostics)
}

func (o *object) Read(ctx context.Context, request resource.ReadRequest, response *resource.ReadResponse) {
	name := o.given(ctx, &request.State, &response.Diagnostics)["name"]
	if err := o.store.begin(ctx, "read", o.kind.name, name); err != nil {
		response.Diagnostics.AddError("cannot read "+o.kind.name+" "+name, err.Error())
		return
	}
	values, err := o.store.read(o.kind.name, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		response.State.RemoveResource(ctx)
	case err != nil:
		response.Diagnostics.AddError("cannot read "+o.kind.name+" "+name, err.Error())
	default:
		o.show(ctx, values, &response.State, &response.Diagnostics)
	}
}

func (o *object) Update(ctx context.Context, request resource.UpdateRequest, response *resource.UpdateResponse) {
	values := o.given(ctx, &request.Plan, &response.Diagnostics)
	err := o.store.begin(ctx, "update", o.kind.name, values["name"])
	if err == nil {
		var before map[string]string
		before, err = o.store.read(o.kind.name, values["name"])
		for _, name := range append([]string{"id"}, o.kind.made...) {
			values[name] = before[name]
		}
	}
	if err == nil {
		err = o.store.write(o.kind.name, values)
	}
	if err != nil {
		response.Diagnostics.AddError("cannot change "+o.kind.name+" "+values["name"], err.Error())
		return
	}
	o.show(ctx, values, &response.State, &response.Diagnostics)
}

func (o *object) Delete(ctx context.Context, request resource.DeleteRequest, response *resource.DeleteResponse) {
	name := o.given(ctx, &request.State, &response.Diagnostics)["name"]
	err := o.store.begin(ctx, "delete", o.kind.name, name)
	if err == nil {
		err = o.store.remove(o.kind.name, name)
	}
	if err != nil {
		response.Diagnostics.AddError("cannot remove "+o.kind.name+" "+name, err.Error())
	}
}
