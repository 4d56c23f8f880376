package steps

import (
	"context"

	"github.com/cucumber/godog"
)

// Registrar takes sentences: a literal regular expression, and the function that is called with the context and what
// the groups captured. *godog.ScenarioContext is one.
type Registrar interface {
	Step(expr, stepFunc any)
}

var _ Registrar = (*godog.ScenarioContext)(nil)

// section is one part of the language, under the heading that the catalogue prints.
type section struct {
	title string
	add   func(Registrar)
	harms bool // its sentences harm or heal, and may wait for a moment
}

func sections() []section {
	return []section{
		{title: "Building", add: building},
		{title: "Harming the network", add: network, harms: true},
		{title: "Harming processes and machines", add: processes, harms: true},
		{title: "Random harm", add: randomHarm, harms: true},
		{title: "Using the system", add: using},
		{title: "Leaders", add: leaders},
		{title: "Members and health", add: members},
		{title: "HTTP", add: requests},
		{title: "What was answered", add: responses},
		{title: "Commands", add: commands},
		{title: "SQL", add: sqls},
		{title: "Logs", add: logs},
		{title: "Work", add: work},
		{title: "What the history shows", add: histories},
		{title: "Load", add: sendingLoad},
		{title: "Seeing packets", add: counting},
		{title: "Seeing HTTP", add: traffic},
		{title: "Steady state", add: steady},
		{title: "PxL", add: pxlScripts},
		{title: "Chaos Toolkit and Pixie", add: experiments},
		{title: "A harm that waits for its moment", add: moments},
		{title: "Waiting and remembering", add: remembering},
	}
}

// Register declares every sentence of the language on sc. Given a *godog.ScenarioContext it also hands each step's doc
// string or table to the step functions; call it once per scenario, from the scenario initializer.
func Register(sc Registrar) {
	if scenario, ok := sc.(*godog.ScenarioContext); ok {
		scenario.StepContext().Before(func(ctx context.Context, step *godog.Step) (context.Context, error) {
			arg := argumentOf(step)
			return WithArgument(ctx, arg), argumentFits(step.Text, arg)
		})
	}
	for _, s := range sections() {
		s.add(sc)
	}
}
