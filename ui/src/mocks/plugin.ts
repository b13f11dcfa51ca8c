export const mockApi = (): unknown => ({ name: "mock-api" });
