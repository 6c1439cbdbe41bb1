(() => {
  // Without this script the tables are whole; it only takes away what was not asked for.
  const form = document.getElementById("error-filters");
  const count = document.getElementById("error-count");
  const browser = document.getElementById("errors");
  const fits = (wanted, value) => !wanted || wanted === value;

  const offerCategories = (set) => {
    for (const group of form.rule.querySelectorAll("optgroup[data-set]")) {
      group.hidden = group.disabled = !fits(set, group.dataset.set);
      if (group.disabled && group.contains(form.rule.selectedOptions[0])) form.rule.value = "";
    }
  };

  const filter = () => {
    offerCategories(form.set.value);
    const want = Object.fromEntries(new FormData(form));
    const asked = Object.values(want).some(Boolean);
    let all = 0;
    let shown = 0;
    for (const set of browser.querySelectorAll("details.set")) {
      const here = fits(want.guard, set.dataset.guard) && fits(want.set, set.dataset.set);
      let inSet = 0;
      for (const part of set.querySelectorAll(".kind")) {
        let inPart = 0;
        for (const group of part.querySelector("table").tBodies) {
          let inGroup = 0;
          const spoken = here && fits(want.language, group.dataset.language);
          for (const row of group.rows) {
            if (!row.dataset.kind) continue;
            all += 1;
            const ruled = fits(want.rule, group.dataset.rule) || row.dataset.cited.split(" ").includes(want.rule);
            row.hidden = !(spoken && ruled && fits(want.kind, row.dataset.kind));
            inGroup += !row.hidden;
          }
          group.hidden = !inGroup;
          inPart += inGroup;
        }
        part.hidden = !inPart;
        inSet += inPart;
      }
      set.hidden = !inSet;
      if (asked) set.open = inSet > 0;
      shown += inSet;
    }
    count.textContent = count.dataset.words.replace("{shown}", shown).replace("{all}", all);
  };

  form.addEventListener("change", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
