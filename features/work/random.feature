Feature: Random faults find what a service gets wrong

  Scenario: A service that answers too early loses what it acknowledged, and random faults find it
    Given a cluster:
      | node  | services | env                  |
      | node1 | quorum   | QUORUM_MISTAKE=early |
      | node2 | quorum   | QUORUM_MISTAKE=early |
      | node3 | quorum   | QUORUM_MISTAKE=early |
    And node1 becomes the leader
    When 5 clients add to a set continuously
    And random faults strike for 8s with seed 3:
      | fault     | weight |
      | partition | 3      |
      | pause     | 1      |
    And the clients stop
    Then an acknowledged write is lost
