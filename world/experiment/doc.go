// Package experiment runs the experiment files of Chaos Toolkit (chaostoolkit.org): steady state, method, steady state,
// rollbacks, with its rules and its journal.
//
//	steady-state-hypothesis ──not met──► failed, nothing is done
//	        │ met
//	     method ──► steady-state-hypothesis ──not met──► deviated
//	        └────► rollbacks, if both were met; "runtime": {"rollbacks": {"strategy": …}} changes that
//
// What an activity does is the Host's: HTTP and processes run from the clients' network, PxL scripts on what the scenario
// saw or on a Pixie cluster. Providers: http, process, and python's chaospixie.probes and chaospixie.tolerances; all
// others are named in an error before anything is done. Controls are left out, and the journal says so.
//
//	e, err := experiment.Read("experiment.json", os.LookupEnv)
//	journal, err := e.Run(ctx, host)
package experiment
