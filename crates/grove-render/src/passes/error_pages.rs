//! A page where nothing answers, from the add-on that has them.

use grove_fleet::addons::MAINTENANCE_PAGES;

use super::{draft::Draft, pass::Pass};
use crate::Error;

pub(super) const PASS: Pass = Pass {
    name: "error-pages",
    summary: "Where the cluster has the add-on `maintenance-pages`, every Ingress names its Traefik \
              middleware, so that visitors get a page where no pod answers. One that names \
              middlewares already keeps them.",
    changes: &["Ingress /metadata/annotations"],
    apply,
};

/// The annotation by which Traefik knows the middlewares of an Ingress
/// (<https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/ingress/>).
const MIDDLEWARES: &str = "traefik.ingress.kubernetes.io/router.middlewares";

/// The add-on's middleware `errors` in its namespace, as Traefik names it.
const ERRORS: &str = "maintenance-pages-errors@kubernetescrd";

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    if !draft.cluster.addons.contains_key(MAINTENANCE_PAGES) {
        return Ok(());
    }
    for ingress in draft.objects.iter_mut() {
        if ingress.kind() != "Ingress" {
            continue;
        }
        let middlewares = match ingress.annotation(MIDDLEWARES) {
            Some(own) => format!("{own},{ERRORS}"),
            None => ERRORS.to_owned(),
        };
        ingress.set_annotation(MIDDLEWARES, &middlewares);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing;

    #[test]
    fn an_ingress_names_the_middleware_where_the_cluster_has_the_addon() {
        let ingress = |annotations| {
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                "metadata": {"name": "lms", "annotations": annotations},
            })
        };
        let mut world = testing::World::default();
        let shown = |world: &testing::World, annotations| {
            let mut draft = world.draft(&[], vec![ingress(annotations)]).unwrap();
            testing::run(&PASS, &mut draft).unwrap();
            draft
                .objects
                .get("networking.k8s.io", "Ingress", "lms")
                .and_then(|ingress| ingress.annotation(MIDDLEWARES).map(str::to_owned))
        };
        assert_eq!(shown(&world, json!({})), None);
        world
            .cluster
            .addons
            .insert(MAINTENANCE_PAGES.to_owned(), json!({}));
        assert_eq!(shown(&world, json!({})).unwrap(), ERRORS);
        assert_eq!(
            shown(&world, json!({MIDDLEWARES: "uni-auth@kubernetescrd"})).unwrap(),
            "uni-auth@kubernetescrd,maintenance-pages-errors@kubernetescrd"
        );
    }
}
