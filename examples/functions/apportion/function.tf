# 100 percent over regions, by their capacity: { asia = 17, europe = 50, us = 33 }.
output "weights" {
  value = provider::synapse::apportion(100, { europe = 30, us = 20, asia = 10 })
}
