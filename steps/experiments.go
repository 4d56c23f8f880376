package steps

import (
	"context"

	"brine.test/brine/world"
)

// experiments states the sentences that bring Chaos Toolkit and Pixie in.
func experiments(sc Registrar) {
	sc.Step(`^the Chaos Toolkit experiment "((?:[^"]|"")*)" runs$`, runExperiment)
	sc.Step(`^the Pixie cluster "((?:[^"]|"")*)"$`, pixieCluster)
}

// runExperiment runs an experiment file of Chaos Toolkit, JSON or YAML: its steady state, its method, its steady state
// again, its rollbacks. It fails as it would under Chaos Toolkit; the journal is an artifact. Its http and process
// activities run from the clients' network, its Pixie scripts on the traffic of this scenario, or on the Pixie cluster
// that PIXIE_CLUSTER_ID and PIXIE_API_KEY name. Where ddosify is not installed, our own load stands in for it.
//
//	the Chaos Toolkit experiment "experiment.json" runs
func runExperiment(ctx context.Context, path string) error {
	s := read(ctx)
	file := s.data(path)
	return s.do(func(w *world.World) error { return w.RunExperiment(ctx, file) })
}

// pixieCluster makes the PxL scripts that follow run on a Pixie cluster, which must be healthy. The API key is taken from
// PX_API_KEY, the cloud's address from PX_CLOUD_ADDR.
//
//	the Pixie cluster "${PX_CLUSTER_ID}"
func pixieCluster(ctx context.Context, id string) error {
	s := read(ctx)
	cluster := s.data(id)
	return s.do(func(w *world.World) error { return w.UsePixie(ctx, cluster) })
}
