package brine_test

import (
	"testing"

	"github.com/cucumber/godog"

	"brine.test/brine/steps"
)

// TestFeatures runs the feature files under features/, or those that
// BRINE_FEATURES, BRINE_TAGS and BRINE_NAME select.
func TestFeatures(t *testing.T) { steps.Test(t) }

// InitializeTestSuite is for `godog run`.
func InitializeTestSuite(sc *godog.TestSuiteContext) { steps.InitializeTestSuite(sc) }

// InitializeScenario is for `godog run`.
func InitializeScenario(sc *godog.ScenarioContext) { steps.InitializeScenario(sc) }
