from provisioning.services.provision_customer import provision_customer
from provisioning.services.run_step import run_step
from tests.core.metrics.pages import Growth
from tests.outbox import make_due


def run(customer, step):
    events = customer.provisioning_events.filter(step=step)
    make_due(events)
    run_step(event_id=events.get().pk)


class TestReady:
    def test_is_counted_once_when_the_last_step_at_once_is_done(self, billing_env):
        customer = provision_customer(name="Acme", email="ann@acme.test").customer
        ready = Growth("rsolv_provisioning_ready_seconds_count")
        with billing_env.run_tasks():
            run(customer, "welcome_mail")
        assert ready.so_far == 0
        with billing_env.run_tasks():
            run(customer, "stripe_customer")
            run(customer, "stripe_customer")
            run(customer, "mail_day_1")
        assert ready.so_far == 1
