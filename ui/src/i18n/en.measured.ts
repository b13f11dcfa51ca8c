/** Words about memory as it was measured. */
export const enMeasured = {
  measured: {
    above: "more than estimated",
    below: "less than likely",
    column: { item: "Part", estimated: "Estimated", measured: "Measured", difference: "Difference" },
    correction: "{{item}}: {{percent}} after {{starts}} measured starts of {{engine}} with {{architecture}}",
    corrections: "What starts taught for the next estimate",
    earlier: "Earlier starts: {{count}}",
    item: { profile: "Trial run", total: "All of the engine" },
    none: "Nothing has been measured yet: the figures come with the next start.",
    start: "Start of {{time}}, {{engine}}, replica {{replica}}, attempt {{attempt}}",
    title: "Estimate against measured",
    tokens: "the KV cache holds {{tokens}} tokens",
    unknown: "not estimated",
    within: "as estimated",
  },
};
