Feature: An experiment of Chaos Toolkit runs as it is

  Scenario: Its Pixie script sees the traffic of this scenario, its load goes to a name of the node
    Given a cluster:
      | node     | services |
      | consumer | consumer |
      | producer | producer |
    And consumer is also known as "mydomain.com"
    When 10 requests per second are sent to "http://consumer:8080/" for 11s
    Then the Chaos Toolkit experiment "experiment.json" runs
