Feature: A ring of majorities

  Scenario: Each node sees a majority, no two the same
    Given a 5-node cluster running kv
    When the network is split into a ring of majorities for 300ms
    Then a write to each node succeeds within 5s
