{#- Returns models whose newest version was not promoted, so that an older one stays live. -#}
{% test newest_versions_are_live(model) %}
    {%- set problems -%}
        with decisions as (
            select * from {{ model }}
        ),

        newest as (
            select
                model,
                max_by(struct(version, is_promoted, reason), version) as last,
                max(case when is_promoted then version end) as live_version
            from decisions
            group by model
        )

        select
            model,
            last.version,
            last.reason,
            coalesce(cast(live_version as string), 'none') as live_version
        from newest
        where not last.is_promoted
        order by model
    {%- endset -%}

    {% call(row) log_findings('newest_versions_are_live', problems) -%}
        needed: the newest version of {{ row['model'] }} live. found: version {{ row['version'] }}
        was not promoted: {{ row['reason'] }}; the live version is {{ row['live_version'] }}.
        do: nothing, or change its features or candidates in python_models/_ml.yml
    {%- endcall %}
{% endtest %}
