from provisioning.services.provision_customer import provision_customer
from provisioning.services.run_step import run_step
from tests.core.metrics.pages import Growth
from tests.outbox import make_due


def run(customer, step):
    events = customer.provisioning_events.filter(step=step)
    make_due(events)
    run_step(event_id=events.get().pk)


class TestReadySeconds:
    def test_is_observed_once_after_the_last_immediate_step(self, billing_env):
        customer = provision_customer(name="Acme", email="alice@acme.test").customer
        ready = Growth("rsolv_provisioning_ready_seconds_count")
        with billing_env.run_tasks():
            run(customer, "welcome_mail")
        assert ready.so_far == 0
        with billing_env.run_tasks():
            run(customer, "stripe_customer")
            run(customer, "stripe_customer")
            run(customer, "mail_day_1")
        assert ready.so_far == 1
