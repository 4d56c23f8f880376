Feature: Each known mistake of a service is found, and a service without one is not accused

  Scenario Outline: A leader that acknowledges too early loses writes (<mistake>)
    Given a cluster:
      | node  | services | env                      |
      | node1 | quorum   | QUORUM_MISTAKE=<mistake> |
      | node2 | quorum   | QUORUM_MISTAKE=<mistake> |
      | node3 | quorum   | QUORUM_MISTAKE=<mistake> |
    And node1 becomes the leader
    When 5 clients add to a set continuously
    And I wait 500ms
    And node1 is isolated from the other nodes for 1500ms
    And I wait 500ms
    And the clients stop
    Then <verdict>

    Examples:
      | mistake | verdict                        |
      | early   | an acknowledged write is lost  |
      |         | no acknowledged write is lost  |
