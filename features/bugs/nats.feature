Feature: NATS JetStream loses acknowledged messages when all nodes lose power
  JetStream acknowledges a message when a majority of its servers has written it, and by default fsyncs every two minutes.
  That features/machine/power.feature finds nothing lost when the servers are only killed, or sync always, shows that it is
  this that loses them. Whether the servers call themselves healthy after that is not asked: about once in fifty times two
  of them stay "not current with the meta leader", and no stream finds a place then; reads are answered all the same.

  Scenario: NATS JetStream with its default sync interval loses acknowledged messages when all nodes lose power
    Given a 3-node cluster running nats
    And "v1" is written to "k" on node1
    And a read of "k" from node3 returns "v1"
    When all nodes lose power
    And all nodes are started again
    Then a read of "k" from node1 returns nothing within 30s
