// Package steps is the language: each sentence a tester may write, and the World method that it calls.
//
//	"node2 is isolated for 5s"                      godog, or Dispatch for a sentence inside another one
//	         │ one pattern, exactly one match
//	         ▼
//	isolate(ctx, "node2", "", " for 5s")            a step function: named, documented, in its section's file
//	         │ words are read: selector, data, bound, length
//	         ▼
//	World.Isolate(ctx, Selector{node2}, nil, Length{ForWait, 5s})
//
// A file holds one section of the language: a function that states the sentences with literal patterns, as editors'
// plug-ins want them, and the step functions. The doc comment of a step function is its entry in the catalogue; the
// indented lines in it are sentences that it takes, from which "did you mean" and the tests draw.
//
//	func InitializeScenario(sc *godog.ScenarioContext) { steps.Register(sc) }
//
// Only Register knows godog. Everything else works on the small Registrar interface, so that the same statements give
// the catalogue, the dry run, and the sentences inside other sentences.
package steps
