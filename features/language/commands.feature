Feature: Commands and logs

  Background:
    Given a 2-node cluster running kv

  Scenario: A command that succeeds
    When I run "/kv put greeting 'hello world'" on node1
    Then the command succeeds
    And its exit code is 0
    When I run "/kv get greeting" in kv on node2
    Then its output contains "hello world"
    And its output matches "^hello w.rld"
    And its output does not contain "kv:"

  Scenario: A command that fails
    When I run "/kv get missing" on node1
    Then the command fails
    And its exit code is 1
    And its error output contains "nothing under missing"
    When I run "/kv fly" on node1
    Then its exit code is 2
    And its error output matches "usage: .*"

  Scenario: A command under the sentence, repeated until it succeeds
    Given node1 is paused for the next 500ms
    When I run on node2 within 5s:
      """
      /kv put k v
      """
    Then the command succeeds
    And its output contains:
      """
      "key":"k"
      """

  Scenario: What a node wrote
    When "v1" is written to "k" on node1
    Then the log of node1 contains "put k" within 2s
    And the log of node1 matches "put k$"
    And the log of node2 does not contain "put k" for 200ms
    And the logs of node1 and node2 contain "listens on"
    And the log of node1 contains within 2s:
      """
      kv node1: put k
      """

  Scenario: A harm that waits for its moment
    When the log of node1 contains "put trigger", node2 is killed
    Then node2 is running
    When "v1" is written to "trigger" on node1
    Then node2 has exited with code 137 within 2s
