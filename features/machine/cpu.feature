@alone
Feature: CPU of a node
  A limit and a load act in the node's own control group: the program itself is slow.

  Scenario: A twentieth of a processor, and all of it again
    Given a 1-node cluster running kv
    When CPU of node1 is limited to 5%
    And I POST "http://node1:8080/count/300" with a time-out of 30s with:
      """
      """
    Then the response status is 200
    And the response took at least 1s
    When everything heals
    And I POST "http://node1:8080/count/300" with a time-out of 30s with:
      """
      """
    Then the response took at most 4s

  Scenario: A node that is busy with something else
    Given a 2-node cluster running kv
    When CPU of node1 is stressed
    And I POST "http://node1:8080/count/600" with a time-out of 60s with:
      """
      """
    Then the response status is 200
    And the response took at least 1s
    And a write to node1 succeeds

  Scenario: Limited for a while
    Given a 1-node cluster running kv
    When CPU of node1 is limited to 10% for the next 2s
    And I POST "http://node1:8080/count/100" with a time-out of 30s with:
      """
      """
    Then the response took at least 200ms
