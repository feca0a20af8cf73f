"""哪张表由哪个函数生成。"""

from autograder.company import (
    callcentre,
    channels,
    customers,
    marketing,
    money,
    people,
    sales,
    service,
    surveys,
    waybills,
)
from autograder.company.customers import CUSTOMERS, World, make_world

# 随客户增多的表：规模为 s 的公司有 s 块
BLOCK = {
    "customers": customers.customers,
    "contacts": customers.contacts,
    "contracts": customers.contracts,
    "shipments_month": customers.shipments_month,
    "waybills": waybills.waybills,
    "complaints": service.complaints,
    "service_events": service.service_events,
    "invoices": money.invoices,
    "payments": money.payments,
    "credit_files": money.credit_files,
    "outcomes_2026q1": money.outcomes_2026q1,
}
# 全公司只有一份的表：跟着第 0 块走
SINGLE = {
    "customer_forms": sales.customer_forms,
    "customer_profile": marketing.customer_profile,
    "senders": marketing.senders,
    "small_orders": marketing.small_orders,
    "loyalty_ledger": marketing.loyalty_ledger,
    "campaigns": marketing.campaigns,
    "contacts_sent": marketing.contacts_sent,
    "leads": sales.leads,
    "visits": sales.visits,
    "interviews": sales.interviews,
    "deals": sales.deals,
    "deal_rounds": sales.deal_rounds,
    "promise_orders": sales.promise_orders,
    "survey_sent": surveys.survey_sent,
    "survey_satisfaction": surveys.survey_satisfaction,
    "survey_market": surveys.survey_market,
    "quality_week": service.quality_week,
    "process_log": service.process_log,
    "calls": callcentre.calls,
    "call_intervals": callcentre.call_intervals,
    "call_quality": callcentre.call_quality,
    "employees": people.employees,
    "kpi_month": people.kpi_month,
    "ratings_360": people.ratings_360,
    "distributors": channels.distributors,
    "channel_flows": channels.channel_flows,
    "xborder_lanes": channels.xborder_lanes,
    "xborder_merchants": channels.xborder_merchants,
}
ALL = {**BLOCK, **SINGLE}


def make(seed: str, wanted=None, block: int = 0, size: int = CUSTOMERS) -> tuple[dict, World]:
    """Tables of one block of the company.

    Args:
        seed: any text.
        wanted: names of tables; all that the block has, if None.
        block: which block; tables that exist once come with block 0.
        size: customers in the block.

    Returns:
        ({name: frame}, the block's World with its log of mess)
    """
    world = make_world(seed, block, size)
    known = ALL if block == 0 else BLOCK
    frames = {name: known[name](world) for name in (wanted or known) if name in known}
    return frames, world
