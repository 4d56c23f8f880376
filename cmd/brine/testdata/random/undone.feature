Feature: Faults that cannot be done are told

  Scenario: One of two
    Given a 3-node cluster running quorum
    And node2 is killed
    When these faults strike for 1s:
      | at    | for   | fault           |
      | 0s    | 500ms | node2 is killed |
      | 100ms | 500ms | node3 is paused |
    Then node1 is running

  @strict-faults
  Scenario: One of two, where each must be felt
    Given a 3-node cluster running quorum
    And node2 is killed
    When these faults strike for 1s:
      | at    | for   | fault           |
      | 0s    | 500ms | node2 is killed |
      | 100ms | 500ms | node3 is paused |
    Then node1 is running

  Scenario: None, for a majority would be down
    Given a 3-node cluster running quorum
    And node1 is killed
    When every 500ms a random node is paused for 300ms
    And I wait 1s
    And the faults stop

  Scenario: What is named is not there
    Given a 3-node cluster running quorum
    When these faults strike for 1s:
      | at | fault           |
      | 0s | node9 is killed |

  Scenario: A disk of a service that keeps no data
    Given the service "plain":
      """
      image: "go:brine.test/brine/examples/quorum"
      args: ["serve", "--name={{.Node.Name}}"]
      ports: {http: 8080}
      ready: {tcp: http}
      """
    And a 3-node cluster running plain
    When random faults strike for 1s:
      | fault | weight |
      | disk  | 1      |
