"""课程用到的分析方法，一个主题一个文件；只在常用的库里没有现成工具时才自己写。

每个名字第一次用到时才装入它所在的文件，所以 ``import crmlib.methods`` 几乎不花时间。
"""

from importlib import import_module

# 文件 → 它的公开名字
_TOPICS = {
    "environment": "factor_score ife efe ie_cell tows_pairs weight_sensitivity",
    "survey": "ab_power ab_sample_size careless_answers chi_square cronbach_alpha cross_table "
              "factor_loadings holm item_analysis kmo_bartlett mean_interval plot_intervals reverse_items "
              "sample_size two_proportions wilson_interval",
    "satisfaction": "csat importance_performance kano kano_category nps plot_importance_performance "
                    "plot_kano satisfaction_index",
    "coding": "code_answers code_frequencies cohen_kappa fleiss_kappa krippendorff_alpha plot_codes tokens "
              "train_coder word_counts",
    "value": "abc_analysis composite_score contribution cost_to_serve gini lorenz plot_contribution "
             "plot_lorenz plot_pareto plot_rfm quantile_score rfm rfm_groups value_grid",
    "pairwise": "RANDOM_INDEX ahp bradley_terry combine_judgements consistency_ratio paired_comparison "
                "pairs_matrix plot_weights rater_agreement",
    "clv": "bg_nbd cohort_value future_value gamma_gamma margin_multiple plot_cohort_value plot_holdout "
           "plot_renewals plot_tornado repeat_summary sbg sensitivity",
    "segments": "choose_k features kmeans plot_choose_k plot_segments stability",
    "churn": "annual_churn churn_definitions cox kaplan_meier leakage_check log_rank logit plot_survival "
             "snapshot",
    "targeting": "auc calibration lift_table plot_calibration plot_gain plot_lift plot_profit plot_qini "
                 "profit_curve qini_curve t_learner uplift_table",
    "loyalty": "difference_in_differences loyalty_grid plot_retention_value points_liability programme_roi "
               "retention_economics share_of_wallet wallet_allocation",
    "call_centre": "agents_needed centre_cost day_curve erlang_a erlang_b erlang_c lines_needed "
                   "plot_day_curve plot_queue_curve queue_curve simulate_calls staff_day",
    "credit": "age_bands ageing ageing_history collections_queue credit_grade credit_limit credit_policies "
              "credit_score cutoff_table discount_cost discount_value dso late_interest next_step open_items "
              "plot_ageing plot_cutoff roll_rates term_value weight_of_evidence",
    "service": "adjusted_rate cause_pareto compare_flows control_constants flow_times imr_chart p_chart "
               "perfect_order plot_causes plot_control plot_flow plot_gaps rate_interval servqual_gaps "
               "signals sla step_times u_chart",
    "negotiation": "best_package concession_pattern concession_table efficient packages plot_concessions "
                   "plot_frontier trade_offs zopa zopa_table",
    "channel": "diversion plot_diversion rule_quality threshold_table",
    "cross_border": "chargeable_weight freight fx_exposure landed_cost lane_costs lane_risk plot_landed",
}
_NAMES = {name: topic for topic, names in _TOPICS.items() for name in names.split()}

__all__ = sorted(_NAMES)


def __getattr__(name):
    if name in _NAMES:
        return getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"crmlib.methods 里没有 {name}；可以用的有：{'、'.join(__all__)}")


def __dir__():
    return __all__
