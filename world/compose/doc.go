// Package compose reads a Compose file and says what its services are as nodes
// of a cluster: which image, command and environment, which volumes, when they
// are ready, and which of them start before others.
//
//	compose.yaml ──compose-go──► Project{Services: [{Name, Def, After, Binds, …}]} ──world──► one node per service
//
// What a service may say is a closed list (see supported). Anything else that
// would change how the service runs is named in the error, never passed over:
// a test of a cluster that is not the one in the file would prove nothing.
//
// The format is the Compose Specification's (github.com/compose-spec/compose-spec),
// read by its own library: variables, .env, anchors, extends, include and
// profiles mean what they mean there.
//
//	p, err := compose.Load(ctx, "compose.yaml", os.Environ())
//	for _, s := range p.Services { fmt.Println(s.Name, s.Def.Image) }
package compose
