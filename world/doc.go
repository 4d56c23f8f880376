// Package world holds one scenario: its cluster, the harm done to it, what was
// seen, and the undo of everything it made.
//
//	           ┌──────────── Suite (one per process) ───────────┐
//	           │ run folder and lock · container runtime · seed │
//	           └───────┬────────────────────────────────────────┘
//	                   │ NewWorld, one per scenario
//	           ┌───────▼────────┐   harms    ┌───────────┐
//	steps ───► │     World      ├──────────► │ xdpfault  │ rules on links
//	           │ clusters       ├──────────► │ containers│ kill, pause, limits
//	           │ choices, seed  │            └───────────┘
//	           │ clean-up stack ├──────────► netfab        namespaces, names, dialling
//	           └───────┬────────┘
//	                   ▼ every step, choice, harm, state
//	                 record
//
// A World makes nothing in the kernel by itself; it joins the packages that do,
// and pushes each undo on its clean-up stack on the line after the thing was
// made. Close heals every harm, collects the artifacts, takes all down in
// reverse order and then proves that nothing is left.
//
//	w, err := suite.NewWorld(ctx, world.Scenario{Name: "node2 is cut off"})
//	defer w.Close(ctx)
//	err = w.BuildCluster(ctx, world.ClusterSpec{Size: 3, Services: []world.ServiceRef{{Name: "etcd"}}})
//	err = w.Isolate(ctx, selector.Named("node2"), nil, world.Length{})
//	err = w.WriteExpect(ctx, selector.Named("node1"), world.Succeeds, world.Bound{})
package world
